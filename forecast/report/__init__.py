"""One payload, `report.json`, and what is made from it: HTML, Markdown, the table in a terminal."""
