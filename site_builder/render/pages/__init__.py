"""Parts of pages that are made from the post itself: `<< page: claims >>` is `claims.py`."""
