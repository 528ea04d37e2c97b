"""HTTP and nothing else: parse, call one service function, answer."""
