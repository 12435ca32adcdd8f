"""Recording a computation once, to replay it many times."""
