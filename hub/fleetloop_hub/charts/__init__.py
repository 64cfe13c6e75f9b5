"""Small SVG pictures that need no script and no style sheet: they stand alone in a file."""
