"""A forecast under other inputs than it was fitted to: draws weighted to them, and a change split into its parts."""
