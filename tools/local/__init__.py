"""The local stack: the service of `template.yaml` on 127.0.0.1, without Docker and without an AWS account.

stack.py      starts everything and stops everything    (`python -m tools.local`, `make up`)
aws.py        S3, DynamoDB, its streams and SQS, in memory: moto in a process of its own
resources.py  makes the template's tables, buckets and queues in it
gateway.py    API Gateway: SAM CLI's, and what it leaves out
runner.py     Lambda: functions in worker processes     (worker.py is what runs in them)
pumps.py      what AWS does between services: notifications, streams, queues, schedules, expiry
patterns.py   which records an event source filters out
issuer.py     development users and their tokens        (`python -m tools.local.token`, `make token`)
s3_edge/      S3 as browsers see it: POST policies, CORS, and the pictures
page/         the demo page
demo.py       the whole flow without a browser          (`python -m tools.local.demo`, `make demo`)
reconcile.py  the backstop, by hand, here or on AWS     (`python -m tools.local.reconcile`, `make reconcile`)
"""
