"""Truong et al. 2026 (b)."""
