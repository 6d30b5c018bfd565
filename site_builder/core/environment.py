"""Variables of the environment that change what is measured, or where it is kept."""

MODEL_VARIABLE = "LIST_STUDY_MODEL"
"""A folder whose model every study takes."""

CACHE_VARIABLE = "LIST_STUDY_CACHE"
"""The folder of fetched weights."""
