"""Agreement between annotation sets: what two annotators of one text have in common, and how sure that is."""
