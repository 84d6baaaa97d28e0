"""The figures and tables of the report: one file a section, each with its charts and the tables behind them."""
