"""Model cards of what is not a predictor: simulators, dose and toxicity models."""
