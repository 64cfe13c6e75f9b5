"""Nothing changes: nobody is alarmed beyond the budget, and nothing is retrained."""
