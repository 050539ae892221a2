"""Build the pages into REFLEX_WEB_WORKDIR: `python -m sp404_app.supervisor.build`."""

from reflex.utils import export, frontend_skeleton, prerequisites
from reflex_base import constants
from reflex_base.environment import environment


def main() -> None:
    """Prepare the folder when it is new, then compile and bundle.

    `reflex export` would do the same, but also edit .gitignore.
    """
    # A start must not edit the checkout, which two instances may share or nobody may write.
    # `make dev` does, and so keeps reflex.lock up to date.
    frontend_skeleton.sync_web_lockfiles_to_root = lambda: None
    environment.REFLEX_COMPILE_CONTEXT.set(constants.CompileContext.EXPORT)
    if prerequisites.needs_reinit():
        prerequisites.initialize_reflex_user_directory()
        prerequisites.initialize_frontend_dependencies()
    export.export(zipping=False, frontend=True, backend=False, env=constants.Env.PROD)


if __name__ == "__main__":
    main()
