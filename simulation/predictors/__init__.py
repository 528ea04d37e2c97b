"""One file is one predictor."""
