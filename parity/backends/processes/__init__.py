"""Launching a command's processes on several devices and ending them as one."""
