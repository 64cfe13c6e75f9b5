"""The two TUF repositories that the hub makes and keeps, and the keys that sign them."""
