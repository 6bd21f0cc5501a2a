"""What follows from the tables: estimates and views; pure."""
