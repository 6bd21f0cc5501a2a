"""diff: two states of a dataset, annotation by annotation, and the bump of the version that the difference proves."""
