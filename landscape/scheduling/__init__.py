"""Which runs are trained when and where: plans, workers, estimates of time."""
