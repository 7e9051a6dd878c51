"""The local stack: the service of `template.yaml` on 127.0.0.1, without Docker and without an AWS account.

stack.py               start and stop everything                       (`make up`)
aws.py                 S3, DynamoDB, its streams and SQS: moto, in a process of its own
resources.py           create the template's tables, buckets and queues in moto
gateway.py             API Gateway, with authorizer.py and gateway_responses.py
addresses.py           parameters and variables that follow from the parts' addresses
reload.py, sources.py  apply saved templates; find out whether code was saved
runner.py, pools.py    Lambda: functions in worker processes; worker.py or debug_worker.py runs in them
pumps.py               event sources: S3 notifications, streams, queues, schedules; and DynamoDB's time to live
patterns.py            filter patterns of event sources
issuer.py              development users, their tokens and a JWKS endpoint  (`make token`)
s3_edge/               S3 and the CDN as browsers see them: POST policies, CORS, pictures
site.py, page/         the profile page, the console, the client and the API documentation
browser.py             an HTTP client that does what the pages do
demo.py                a walk through the whole service                 (`make demo`)
events.py, invoke.py   fresh events; one function in the terminal  (`make events`, `make invoke`)
logs.py, console.py    readable logs (`make logs`); the console of `make up`
kept.py                data that survives a restart            (`make up KEEP=1`, `make reset`)
sam.py                 files for SAM CLI and the AWS CLI
origins.py             the origins of front ends
reconcile.py           the reconcile job, run by hand, here or on AWS   (`make reconcile`)
launch.py, state.py    start a stack from a program; find a running one

No private attribute of moto, SAM CLI, botocore or Werkzeug is used.
"""
