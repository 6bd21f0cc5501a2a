"""Texts about a dataset, made from facts: pure functions that return text."""
