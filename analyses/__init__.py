"""What is measured: one module per measurement, named as in the directive."""
