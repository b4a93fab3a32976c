"""Side-by-side measurements against what users would pick instead; `make bench` runs them and writes the page.

It needs only the standard library: the harness runs in the template's tools, and the peers import it from environments
of their own.
"""
