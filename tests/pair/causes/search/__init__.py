"""Mirrors the room of the search for causes."""
