"""What a connector owes the rest of the house: words only, no code that moves data."""
