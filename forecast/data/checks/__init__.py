"""The checks of `forecast data check`: what is impossible (errors) and what is unusual (warnings)."""
