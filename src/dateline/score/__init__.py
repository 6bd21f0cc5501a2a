"""Scoring: a system's predictions held against the gold of one config; numbers with intervals over stories."""
