"""Build the pages into REFLEX_WEB_WORKDIR: `python -m sp404_app.supervisor.build`."""

from reflex.utils import export, frontend_skeleton, prerequisites
from reflex_base import constants
from reflex_base.environment import environment


def main() -> None:
    """Prepare a new build folder, then compile and bundle the pages.

    `reflex export` does the same, but also edits .gitignore.
    """
    # A start must not edit the checkout: it may be read-only or shared by two instances.
    # `make dev` does edit it, and so keeps reflex.lock up to date.
    frontend_skeleton.sync_web_lockfiles_to_root = lambda: None
    environment.REFLEX_COMPILE_CONTEXT.set(constants.CompileContext.EXPORT)
    if prerequisites.needs_reinit():
        prerequisites.initialize_reflex_user_directory()
        prerequisites.initialize_frontend_dependencies()
    export.export(zipping=False, frontend=True, backend=False, env=constants.Env.PROD)


if __name__ == "__main__":
    main()
