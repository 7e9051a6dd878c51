"""The contracts: one module each, which parses references and renders answers and errors, and knows no other."""
