"""Whole tables against Great Expectations suites; the only place that names Great Expectations."""
