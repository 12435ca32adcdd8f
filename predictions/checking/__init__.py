"""How a check is carried out: finding claims, training what they need, judging, keeping verdicts."""
