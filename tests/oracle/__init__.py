"""A second, naive implementation of the rules that one record decides, and a generator of records with faults."""
