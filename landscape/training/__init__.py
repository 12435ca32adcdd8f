"""Descriptions of trainings, the ensemble trainer, the store, and the executor seam."""
