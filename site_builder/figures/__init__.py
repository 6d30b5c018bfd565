"""One module per drawing, named as the measurement it draws."""
