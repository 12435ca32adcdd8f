"""Truong et al. 2026 (a)."""
