"""Figures of both pages: what is drawn, as data, and how."""
