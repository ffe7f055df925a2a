"""Who did what with this product. Rows are only ever added."""
