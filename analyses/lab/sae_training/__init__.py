"""Training sparse autoencoders on text that the model wrote."""
