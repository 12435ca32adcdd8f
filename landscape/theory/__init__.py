"""Closed forms that learners and claims are compared with."""
