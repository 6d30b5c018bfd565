"""Training this post's sparse autoencoders, mostly on lists that the model writes."""
