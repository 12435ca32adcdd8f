"""What trainings leave: records, snapshots, and the store that keeps them."""
