# expect: code=no-schema line=here hint=db
import sqlite3

from chainlab import chain, fill, prompt, step


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@step  # <- here
def search(db: sqlite3.Connection, text: str) -> list[str]:  # <- here
    return [str(row) for row in db.execute(text)]


@chain
def page(topic: str) -> str:
    return improve(write(topic))
