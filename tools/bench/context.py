"""What Lambda gives a handler beside its event."""

from types import SimpleNamespace


def context(function: str, memory_mib: int = 1024) -> SimpleNamespace:
    """The context of one invocation; always the same one, so that what is written of it is as long every time."""
    return SimpleNamespace(
        function_name=function,
        aws_request_id="52fdfc07-2182-454f-963f-5f0f9a621d72",
        memory_limit_in_mb=str(memory_mib),
        invoked_function_arn=f"arn:aws:lambda:eu-central-1:123456789012:function:{function}",
        get_remaining_time_in_millis=lambda: 60_000,
    )
