from minigrad import ops
from minigrad.engine import *
