"""The talk about flags, and what comes of it: reviews, commitments, and the focus of the next
weeks."""
