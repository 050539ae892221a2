"""The errors that PostgreSQL and Redis cause while they are not available."""

from typing import Final

from redis.exceptions import ConnectionError as NoRedis
from redis.exceptions import TimeoutError as NoAnswerOfRedis
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

DATABASE_UNAVAILABLE: Final = (OperationalError, NoFreeConnection)  # down, read-only or full
REDIS_UNAVAILABLE: Final = (NoRedis, NoAnswerOfRedis)
OUTAGES: Final = (*DATABASE_UNAVAILABLE, *REDIS_UNAVAILABLE)
