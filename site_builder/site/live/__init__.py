"""The measured model, published beside the page."""
