"""What is raised for a data file that cannot be used."""


class DataError(ValueError):
    """A data file is missing, damaged or no table of numbers; the message says what to do."""
