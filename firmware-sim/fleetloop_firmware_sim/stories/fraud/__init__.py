"""Payment terminals: a seeded town of customers and terminals, and thieves who learn new tricks."""
