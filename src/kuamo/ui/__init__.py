"""The studio: a page in English and one in Chinese, a small file for each capability."""
