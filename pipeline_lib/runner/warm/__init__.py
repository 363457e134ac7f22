"""Processes that start warm: forked from one that has imported the third-party packages already.

A warm process sees what a cold one sees: a preloaded module is neither in `sys.modules` nor an attribute of its
package until it is imported. Project code, and this library, are never preloaded.
"""
