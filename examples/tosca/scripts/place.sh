# Where the files of the node NAME are; the other scripts read this one.
case $FOLDER in
/*) place=$FOLDER/$NAME ;;
*) place=$HOME/$FOLDER/$NAME ;;
esac
