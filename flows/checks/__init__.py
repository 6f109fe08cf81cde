"""Does a delivery, and does a release, look normal?"""
