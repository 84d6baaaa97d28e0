"""Tables: each a function from the report to rows of text; HTML and Markdown print the same ones."""
