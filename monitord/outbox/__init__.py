"""What other programs of the site are told: kept until they have it."""
