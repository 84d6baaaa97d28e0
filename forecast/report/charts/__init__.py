"""Charts: each a function from the report and a size to a static Vega-Lite chart. Altair is imported only when one is drawn."""
