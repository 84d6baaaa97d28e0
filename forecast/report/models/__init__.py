"""The form of `report.json` as pydantic models: they validate it, type what is drawn from it, and give its JSON Schema."""
